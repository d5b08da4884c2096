/** The page's state with nothing behind it: an engine that plays what it is told, no library, nothing kept. */
import { App } from '../../../src/app/app.svelte';
import { memoryStore, ScriptedEngine } from '../../app/helpers';

const none = async () => ({ ok: true, value: [] });

export function bareApp(engine = new ScriptedEngine()): App {
  return new App({
    engine: Object.assign(engine, { models: none, downloads: none }),
    openShelf: () => Promise.reject(new Error('none')),
    store: memoryStore(),
    languages: ['en'],
    hash: '',
    search: '',
  });
}
