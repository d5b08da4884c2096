declare module 'virtual:licences' {
  /** What the page is built of; made by vite.config.ts. */
  export const licences: readonly { name: string; version: string; license: string }[];
}

declare module 'virtual:model-card' {
  /** MODEL.md of the model that comes with the page, as HTML; made by vite.config.ts. */
  const html: string;
  export default html;
}
