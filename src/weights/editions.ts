/**
 * Which editions of a model are loaded somewhere: a tab goes on with what it has loaded, whatever another tab agrees to,
 * and must find its files again when its GPU or its engine is lost. Whoever has one loaded holds a Web Lock that says so;
 * browsers without Web Locks know nothing of other tabs.
 */

const locks = () => (globalThis.navigator as Navigator | undefined)?.locks;
const prefix = (baseUrl: string) => `kinora-edition ${new URL(baseUrl).pathname} `;

/**
 * @param baseUrl address of the folder of model.json
 * @returns ends it
 */
export function holdEdition(baseUrl: string, edition: string): () => void {
  let release = () => {};
  const held = new Promise<void>((end) => (release = end));
  void locks()?.request(prefix(baseUrl) + edition, { mode: 'shared' }, () => held);
  return release;
}

export async function heldEditions(baseUrl: string): Promise<string[]> {
  const { held = [] } = (await locks()?.query?.()) ?? {};
  const start = prefix(baseUrl);
  return held.flatMap(({ name }) => (name?.startsWith(start) ? [name.slice(start.length)] : []));
}
