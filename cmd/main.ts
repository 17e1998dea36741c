import { enableCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { setFlagsFromString } from 'node:v8';

// The ledger machine's functions call many small ones: inlined further than by default they apply a tenth
// more transfers (docs/performance.md). Read by the compiler alone, and only once code is hot.
setFlagsFromString('--max-inlined-bytecode-size-cumulative=3000');
setFlagsFromString('--max-inlined-bytecode-size=800');

// Half of a server's start is compiling its own sources; a server that comes back should do without.
enableCompileCache(fileURLToPath(new URL('../node_modules/.cache/evenkeel', import.meta.url)));
const { main } = await import('./program.ts');
await main();
