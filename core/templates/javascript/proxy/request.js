/** The request, for tests to give. */
export const facts = { method: 'GET', url: '' };

export const method = () => facts.method;
export const url = () => facts.url;
