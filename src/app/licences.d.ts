declare module 'virtual:licences' {
  /** What the page is built of; made by vite.config.ts. */
  export const licences: readonly { name: string; version: string; license: string }[];
}
