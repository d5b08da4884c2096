/** node tests/helpers/peak-memory.mjs FILE: see peak-memory.ts. */
import { loadModule } from '../../scripts/dawn.mjs';

const { main } = await loadModule('tests/helpers/peak-memory.ts');
await main(process.argv[2]);
