const initial = {
  id: '1',
  host: '',
  port: 0,
  protocol: 'connect',
  foundIn: 'request',
  serverName: undefined,
  listener: 'main',
  started: 0n,
};

/** For tests to say: facts.foundIn = 'server-name'. */
export const facts = { ...initial };

export function reset() {
  Object.assign(facts, initial);
}

export const id = () => facts.id;
export const host = () => facts.host;
export const port = () => facts.port;
export const protocol = () => facts.protocol;
export const foundIn = () => facts.foundIn;
export const serverName = () => facts.serverName;
export const listener = () => facts.listener;
export const started = () => BigInt(facts.started);
