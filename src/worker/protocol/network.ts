/** What a page or worker asked the network for, as the browser itself records it. */
export interface NetworkRequest {
  url: string;
  /** When it began, ms since 1970. */
  at: number;
  /** It was stopped before anything left: by the content policy, or by a shut Gate (requests.ts). */
  stopped?: true;
}
