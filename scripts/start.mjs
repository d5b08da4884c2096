/** `npm start`: builds the page if needed and serves it. `npm start -- --port 8080` asks for a port. */
import { parseArgs } from 'node:util';
import { ensureBuild, serveSite } from './site.mjs';
import { onOrphaned } from './orphan.mjs';

const PORT = 4173;

function readPort() {
  try {
    const { values } = parseArgs({ options: { port: { type: 'string', default: String(PORT) } } });
    const port = Number(values.port);
    if (Number.isInteger(port) && port >= 0 && port < 65536) return port;
    throw new Error(`--port ${values.port} is not a port (0…65535).`);
  } catch (error) {
    console.error(`${error.message}\nUsage: npm start -- [--port ${PORT}]`);
    process.exit(2);
  }
}

const port = readPort();
try {
  ensureBuild();
  const { address, close } = await serveSite({ port });
  console.log(`\n  Kinora is ready: ${address}\n\n  Open it in a browser with WebGPU. Ctrl-C ends it.\n`);
  const end = () => {
    void close();
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, end);
  onOrphaned(end);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
