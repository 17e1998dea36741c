#!/usr/bin/env node
// The installed command (`npm link`): works from any folder and under any Node that can start it.
import { join } from 'node:path';
import { bootstrap, ROOT, run } from './bootstrap.mjs';

await bootstrap();
run(['node', join(ROOT, 'cmd', 'main.ts'), ...process.argv.slice(2)]);
