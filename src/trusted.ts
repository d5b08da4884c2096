/** Trusted Types: the one place that may say where scripts of workers come from. */

interface Factory {
  createPolicy(
    name: string,
    rules: { createScriptURL(address: string): string },
  ): { createScriptURL(address: string): unknown };
}

let policy: ReturnType<Factory['createPolicy']> | null = null;

/** Addresses of our own scripts that `inheriting` made. */
const made = new Set<string>();

/**
 * A script of the page's own origin, to begin a module worker with that has the page's content policy instead of one of
 * its own: workers of blobs inherit it.
 */
export function inheriting(address: string): string {
  const script = `import ${JSON.stringify(new URL(address, document.baseURI).href)};`;
  const url = URL.createObjectURL(new Blob([script], { type: 'text/javascript' }));
  made.add(url);
  return scriptAddress(url);
}

/**
 * The address as `Worker` and `serviceWorker.register` take it under the page's policy. Throws for any address
 * that is not of our own origin, and for blobs that `inheriting` did not make.
 */
export function scriptAddress(address: string): string {
  const own = (text: string) => {
    const url = new URL(text, document.baseURI);
    if (made.has(url.href)) return url.href;
    if (url.origin !== location.origin || url.protocol === 'blob:')
      throw new TypeError(`${url.href} is not a script of this page`);
    return url.href;
  };
  const types = (globalThis as { trustedTypes?: Factory }).trustedTypes;
  if (!types) return own(address);
  policy ??= types.createPolicy('kinora', { createScriptURL: own });
  return policy.createScriptURL(address) as string;
}
