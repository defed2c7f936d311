/** What was logged, oldest first, each as [level, message]. */
export const lines = [];

export function reset() {
  lines.length = 0;
}

export function write(level, message) {
  lines.push([level, message]);
}
