/** What was logged, oldest first, each as [level, message]. */
export const lines = [];

export function write(level, message) {
  lines.push([level, message]);
}
