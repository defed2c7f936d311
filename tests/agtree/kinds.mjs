// Says what each line of a list is, as AdGuard's parser of filter lists has it: one line of its input, one of its
// output. The test in core/src/feeds/format/tests/differential/agtree.rs runs it, with the folder of agtree.

import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const { RuleParser, defaultParserOptions } = await import(pathToFileURL(`${process.argv[2]}/dist/index.js`));
const OPTIONS = { ...defaultParserOptions, tolerant: true, parseHostRules: true, isLocIncluded: false };

// The names of the machine itself in a hosts file.
const OWN = /^(localhost|localhost\.localdomain|local|broadcasthost|0\.0\.0\.0|ip6-(all(hosts|nodes|routers)|local(host|net)|loopback|mcastprefix))$/;

// Modifiers that a rule about whole hosts may have.
const MEANT = ["all", "badfilter", "important"];

function kind(line) {
    const rule = RuleParser.parse(line, OPTIONS);
    switch (rule.category) {
        case "Empty":
            return "nothing";
        case "Comment":
            return rule.type === "PreProcessorCommentRule" ? "other" : "nothing";
        case "Cosmetic":
            return "other";
        case "Network":
            return rule.type === "HostRule" ? hosts(rule) : network(rule);
        default:
            // A hint that is not one is a comment like any other.
            return line.trimStart().startsWith("!") ? "nothing" : "other";
    }
}

function hosts(rule) {
    const names = rule.hostnames.children.map(({ value }) => value).filter((name) => !OWN.test(name));
    const found = names.map(host).filter((name) => name && isWhole(name));
    if (names.length === 0) {
        return "nothing";
    }
    return found.length ? [...new Set(found)].sort().map((name) => `itself ${name}`).join(", ") : "other";
}

function network(rule) {
    const modifiers = rule.modifiers?.children ?? [];
    const isMeant = ({ name, value, exception }) => MEANT.includes(name.value) && !value && !exception;
    const pattern = rule.pattern.value;
    const found = /^(\|\|?)(\*\.)?(.*?)(\^\|?|\|)$/.exec(pattern) ?? /^()()([^|^]*)()$/.exec(pattern);
    if (!found || !modifiers.every(isMeant)) {
        return "other";
    }
    const [, start, below, name, end] = found;
    const isNetwork = /^[0-9.]+\/[0-9]+$/.test(name);
    const named = isNetwork ? name : host(name);
    if (!named || (start === "||" && end === "|") || (start === "|" && below)) {
        return "other";
    }
    const has = (word) => (modifiers.some(({ name }) => name.value === word) ? `${word} ` : "");
    const both = below || isNetwork ? "below" : "both";
    const covers = (start === "||" && !isAddress(named)) || isNetwork ? both : "itself";
    if (covers === "itself" && !isWhole(named)) {
        return "other";
    }
    return `${has("badfilter")}${rule.exception ? "exception " : ""}${has("important")}${covers} ${named}`;
}

// What a browser makes of a host. A browser would also take signs that are part of a pattern here.
function host(name) {
    if (/[^\p{L}\p{N}._:\[\]-]/u.test(name)) {
        return undefined;
    }
    try {
        const url = new URL(`http://${name.includes(":") && !name.startsWith("[") ? `[${name}]` : name}/`);
        return url.href === `http://${url.hostname}/` ? url.hostname.replace(/^\[|\]$|\.$/g, "") : undefined;
    } catch {
        return undefined;
    }
}

// Nothing listens at a top-level domain itself.
function isWhole(host) {
    return /[.:]/.test(host);
}

function isAddress(host) {
    return host.includes(":") || /^[0-9.]+$/.test(host);
}

for await (const line of createInterface({ input: process.stdin })) {
    console.log(kind(line));
}
