/** Who has sent the request, for tests to say: sender.address = '10.0.0.7'. */
export const sender = { address: undefined, user: undefined };

export function address() {
  return sender.address;
}

export function user() {
  return sender.user;
}
