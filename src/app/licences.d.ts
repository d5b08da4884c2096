declare module 'virtual:licences' {
  /** What the page is built of; made by vite.config.ts. */
  export const licences: readonly { name: string; version: string; license: string }[];
}

declare module 'virtual:model-card' {
  export type Part =
    | { type: 'heading'; depth: number; text: string }
    | { type: 'paragraph'; text: string }
    | { type: 'list'; texts: string[] }
    | { type: 'table'; head: string[]; rows: string[][] };
  /** MODEL.md of the model that comes with the page; made by vite.config.ts. */
  const parts: readonly Part[];
  export default parts;
}
