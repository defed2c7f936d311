const initial = { method: 'GET', url: '' };

/** The request, for tests to give. */
export const facts = { ...initial };

export function reset() {
  Object.assign(facts, initial);
}

export const method = () => facts.method;
export const url = () => facts.url;
