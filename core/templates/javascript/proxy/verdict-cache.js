/** What was said of verdicts, oldest first, each as [scope, milliseconds]: ['host', 60000n]. */
export const kept = [];

export function keep(scope, ttl) {
  kept.push([scope, BigInt(ttl)]);
}
