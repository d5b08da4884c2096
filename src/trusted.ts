/** Trusted Types: the one place that may say where scripts of workers come from. */

interface Factory {
  createPolicy(
    name: string,
    rules: { createScriptURL(address: string): string },
  ): { createScriptURL(address: string): unknown };
}

let policy: ReturnType<Factory['createPolicy']> | null = null;

/**
 * The address as `Worker` and `serviceWorker.register` take it under the page's policy. Throws for any address
 * that is not of our own origin.
 */
export function scriptAddress(address: string): string {
  const own = (text: string) => {
    const url = new URL(text, document.baseURI);
    if (url.origin !== location.origin) throw new TypeError(`${url.href} is not a script of this page`);
    return url.href;
  };
  const types = (globalThis as { trustedTypes?: Factory }).trustedTypes;
  if (!types) return own(address);
  policy ??= types.createPolicy('kinora', { createScriptURL: own });
  return policy.createScriptURL(address) as string;
}
