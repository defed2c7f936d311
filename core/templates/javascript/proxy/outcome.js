const initial = { how: 'passed', status: undefined, bytesFromClient: 0n, bytesToClient: 0n, duration: 0n };

/** What became of the exchange, for tests to say: facts.how = 'blocked'. */
export const facts = { ...initial };

export function reset() {
  Object.assign(facts, initial);
}

export const how = () => facts.how;
export const status = () => facts.status;
export const bytesFromClient = () => BigInt(facts.bytesFromClient);
export const bytesToClient = () => BigInt(facts.bytesToClient);
export const duration = () => BigInt(facts.duration);
