/** What a call to the proxy throws, as in a filter that is built: `payload` says what is wrong. */
export class ProxyError extends Error {
  constructor(payload) {
    super(typeof payload === 'string' ? payload : JSON.stringify(payload));
    this.payload = payload;
  }
}
