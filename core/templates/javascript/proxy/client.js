const initial = () => ({ address: undefined, user: undefined, groups: [] });

/** Who has sent the request, for tests to say: facts.address = '10.0.0.7'. */
export const facts = initial();

export function reset() {
  Object.assign(facts, initial());
}

export function address() {
  const { address } = facts;
  if (address === undefined) {
    return undefined;
  }
  return address.includes(':') ? { tag: 'ipv6', val: groupsOf(address) } : { tag: 'ipv4', val: address.split('.').map(Number) };
}

function groupsOf(ipv6) {
  const [before, after] = ipv6.split('::').map((part) => part.split(':').filter(Boolean));
  const zeros = Array(8 - before.length - (after?.length ?? 0)).fill('0');
  return [...before, ...zeros, ...(after ?? [])].map((group) => parseInt(group, 16));
}

export const user = () => facts.user;
export const groups = () => facts.groups;
