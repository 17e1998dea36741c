import type { Mutant } from './mutant.ts';

/** Servers that look alive and are not, and promises that time takes back. */
export const LIVENESS: readonly Mutant[] = [
  {
    bug: 22,
    fault: 'A lease lasts longer than the promise of the voters that it rests on.',
    instead: 'There are no leases. Broken is the check that tells so who asks for one.',
    file: 'consensus/config.ts',
    find: 'invariant(why === null,',
    replace: 'invariant(true,',
    testFile: 'consensus/config.test.ts',
    test: 'C91 C92 C93 C94 that ask for leases are refused by name',
  },
  {
    bug: 25,
    fault: "A leader's disk hangs and its heartbeats go on: nobody else is elected.",
    file: 'server/core/watchdog.ts',
    find: '    this.#flushSinceMs = nowMs;',
    replace: '',
    testFile: 'sim/sick-server.test.ts',
    test: 'C140 whose disk stalls gives its groups to the other city server, and takes them back later',
  },
  {
    bug: 26,
    fault: 'A process that stood still leads on as if no time had passed.',
    file: 'server/core/watchdog.ts',
    find: 'this.#lastTickMs === null ? 0 : nowMs - this.#lastTickMs - this.#tickMs;',
    replace: '0;',
    testFile: 'sim/sick-server.test.ts',
    test: 'whose process stands still gives its groups away as soon as it goes on',
  },
  {
    bug: 49,
    fault:
      'A group that has nothing to do falls silent, and its followers take its leader for dead.',
    instead: 'Groups never fall silent. Broken is that the leader of an idle one beats.',
    file: 'consensus/raft.ts',
    find: 'if (core.ticks % core.config.heartbeatTicks === 0) broadcastHeartbeat(core);',
    replace:
      'if (core.uncommittedBytes > 0 && core.ticks % core.config.heartbeatTicks === 0) broadcastHeartbeat(core);',
    testFile: 'consensus/election.test.ts',
    test: 'C7 a leader sends heartbeats without entries at each interval',
  },
];
