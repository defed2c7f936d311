// Makes a component of src/filter.js. `portcullis plugin build` runs this and says into which file:
// node build.js FILE

import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';

import { componentize } from '@bytecodealliance/componentize-js';

const source = 'src/filter.js';

function fail(message) {
  console.error(message);
  process.exit(1);
}

const [file = '@NAME@.wasm'] = process.argv.slice(2);

// Unlike componentize, node says where a syntax error is.
if (spawnSync(process.execPath, ['--check', source], { stdio: 'inherit' }).status !== 0) {
  fail(`${source} is not valid JavaScript, see above`);
}

// componentize leaves out a hook that the world does not export, without a word. A hook or an import
// that is missing it reports only at the end of the build, with names of files of its own.
const hooks = ['judge-host', 'judge-request', 'judge-response', 'exchange-ended', 'tick'];
const [code, world] = await Promise.all([source, 'wit/world.wit'].map((name) => readFile(name, 'utf8')));
for (const hook of hooks) {
  const object = hook.replace(/-(.)/, (_, letter) => letter.toUpperCase());
  const isExported = new RegExp(`^\\s*export\\s+(const|let|var)\\s+${object}\\b`, 'm').test(code);
  // The contract has a world for each hook, too.
  const isInWorld = new RegExp(`^\\s*(export\\s+portcullis:filter/${hook}|include\\s+portcullis:filter/${hook}-hook)@`, 'm').test(world);
  if (isExported && !isInWorld) {
    fail(`${source} exports ${object}, and wit/world.wit does not export ${hook}, so that it would never be called; add there:  export portcullis:filter/${hook}@1.0.0;`);
  }
  // It may come from another module.
  const isNamed = new RegExp(`\\b${object}\\b|^export \\*`, 'm').test(code.replace(/^\s*\/\/.*$/gm, ''));
  if (isInWorld && !isNamed) {
    fail(`wit/world.wit exports ${hook}, and ${source} does not have its object, so the filter cannot be built; add to ${source}:  export const ${object} = { … };  with its method, or take the export out of wit/world.wit`);
  }
}

function failImport(name) {
  fail(`the filter imports ${name}, which wit/world.wit does not; add there:  import ${name};`);
}

// The worlds of single hooks bring types alone; any other may bring everything.
if (!/^\s*include\s+(?!portcullis:filter\/[\w-]+-hook@)/m.test(world)) {
  for (const [, name, bare] of code.matchAll(/^(?:import\b|\}).*\bfrom\s+['"]((portcullis:filter\/(?!types@)[\w-]+@)[\w.]+)['"]/gm)) {
    if (!new RegExp(`^\\s*import\\s+${bare}`, 'm').test(world)) {
      failImport(name);
    }
  }
}

try {
  const { component } = await componentize({
    sourcePath: source,
    witPath: 'wit',
    worldName: 'filter',
    // A filter reaches nothing but the proxy, so there is no WASI: no console, no clock, no fetch.
    disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
  });
  await writeFile(file, component);
} catch (error) {
  const [, missing] = /Error loading module "(portcullis:filter\/[^"]*)"/.exec(error.message) ?? [];
  if (missing) {
    failImport(missing);
  }
  fail(error.message);
}
