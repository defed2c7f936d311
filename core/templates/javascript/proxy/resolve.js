// How node finds a module of the proxy.

export function resolve(specifier, context, otherwise) {
  const [, name] = /^portcullis:filter\/([a-z-]+)@/.exec(specifier) ?? [];
  return otherwise(name ? new URL(`./${name}.js`, import.meta.url).href : specifier, context);
}
