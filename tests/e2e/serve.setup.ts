/** Builds the page if its sources changed, and serves it to the end-to-end tests. */
import type { TestProject } from 'vitest/node';
import { ensureBuild, serveSite } from '../../scripts/site.mjs';

declare module 'vitest' {
  export interface ProvidedContext {
    /** "http://127.0.0.1:4173/" */
    address: string;
  }
}

export default async function setup(project: TestProject) {
  ensureBuild();
  const site = await serveSite();
  project.provide('address', site.address);
  return () => site.close();
}
