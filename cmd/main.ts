import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// Half of a server's start is compiling its own sources; a server that comes back should do without.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/evenkeel', import.meta.url)));
const { main } = await import('./program.ts');
await main();
