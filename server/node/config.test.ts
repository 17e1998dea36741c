import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { checkConfig, configFields, loadConfig, type ServerConfig, warningsOf } from './config.ts';
import { configurationMarkdown } from './config-docs.ts';
import type { ConfigInput } from './config-schema.ts';

const folder = mkdtempSync(join(tmpdir(), 'evenkeel-config-'));
afterAll(() => rmSync(folder, { recursive: true }));

const server = (id: number, zone: string) => ({
  id,
  zone,
  address: `127.0.0.1:${7400 + id}`,
  peerAddress: `127.0.0.1:${7410 + id}`,
});
const GOOD: ConfigInput = {
  clusterId: '0123456789abcdef0123456789abcdef',
  server: 2,
  dataDir: 'data/hz2-2',
  servers: [server(1, 'hz1'), server(2, 'hz2'), server(3, 'sh1')],
};

const check = (changes: object): ServerConfig => checkConfig({ ...GOOD, ...changes }, 'test');

function load(input: object, flags = {}, env = {}): ServerConfig {
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(input));
  return loadConfig(file, flags, env);
}

describe('a minimal file', () => {
  test('is completed by the defaults and by the own row of servers', () => {
    expect(load(GOOD)).toMatchObject({
      zone: 'hz2',
      listen: '127.0.0.1:7402',
      peerListen: '127.0.0.1:7412',
      drill: false,
      allowNonLoopback: false,
      units: 4,
      zones: [
        { name: 'hz1', leaderWeight: 1 },
        { name: 'hz2', leaderWeight: 1 },
        { name: 'sh1', leaderWeight: 0 },
      ],
      links: [],
      consensus: {
        tickMs: 5,
        heartbeatMs: 50,
        voteRefusalMs: 300,
        candidacyCityMs: { min: 320, max: 400 },
        candidacyRemoteMs: { min: 1_000, max: 1_300 },
      },
    });
    const { ledgers } = load(GOOD);
    expect(ledgers.map(({ ledger, currency, scale }) => `${ledger} ${currency} ${scale}`)).toEqual([
      '156 CNY 2',
      '203 CZK 2',
      '392 JPY 0',
      '840 USD 2',
      '978 EUR 2',
    ]);
    expect(warningsOf(load(GOOD))).toEqual([]);
  });

  test('says the same in whatever order its rows are', () => {
    const turned = { ...GOOD, servers: GOOD.servers.toReversed() };
    expect(load(turned)).toEqual(load(GOOD));
  });
});

describe('a field', () => {
  test('is taken from flags before environment before file', () => {
    const consensus = { heartbeatMs: 60, tickMs: 10 };
    const env = { EVENKEEL_CONSENSUS_HEARTBEAT_MS: '70', EVENKEEL_UNITS: '8', PATH: '/bin' };
    const config = load({ ...GOOD, consensus, units: 2 }, { units: '16', drill: undefined }, env);
    expect(config.consensus).toMatchObject({ heartbeatMs: 70, tickMs: 10, voteRefusalMs: 300 });
    expect(config.units).toBe(16);
  });

  test('that is a list is JSON in the environment', () => {
    const links = [{ from: 'hz1', to: 3, delayMs: 2.5 }];
    expect(load(GOOD, {}, { EVENKEEL_LINKS: JSON.stringify(links) }).links).toEqual(links);
  });

  test.each([
    [{ EVENKEEL_UNITS: 'four' }, "units (EVENKEEL_UNITS): 'four' is no number"],
    [{ EVENKEEL_UNITS: '' }, "units (EVENKEEL_UNITS): '' is no number"],
    [{ EVENKEEL_DRILL: 'yes' }, "drill (EVENKEEL_DRILL): 'yes' is no boolean"],
    [{ EVENKEEL_LINKS: '[' }, 'links (EVENKEEL_LINKS):'],
    [{ EVENKEEL_UNIT: '4' }, 'EVENKEEL_UNIT: no such field'],
    [{ EVENKEEL_UNITS: '257' }, 'units: Too big'],
  ])('in the environment %o is refused by name', (env, message) => {
    expect(() => load(GOOD, {}, env)).toThrow(message);
  });

  test('that is no flag is refused', () => {
    expect(() => load(GOOD, { heartbeat: '5' })).toThrow('heartbeat: no such flag');
  });

  test('has a name of its own in environment and flags', () => {
    const fields = configFields();
    for (const key of ['path', 'env', 'flag', 'attribute'] as const) {
      expect(new Set(fields.map((field) => field[key])).size).toBe(fields.length);
    }
    expect(fields).toContainEqual(
      expect.objectContaining({
        path: 'consensus.candidacyCityMs.min',
        env: 'EVENKEEL_CONSENSUS_CANDIDACY_CITY_MS_MIN',
        flag: '--consensus-candidacy-city-ms-min',
        attribute: 'consensusCandidacyCityMsMin',
      }),
    );
  });
});

test('a file that is missing, no JSON or no object is refused by its name', () => {
  const missing = join(folder, 'missing.json');
  expect(() => loadConfig(missing, {}, {})).toThrow(/bad_config: .*missing\.json\n.*ENOENT/);
  expect(() => load([])).toThrow('must hold one JSON object');
});

describe('refused, naming the field:', () => {
  const five = [
    server(1, 'hz1'),
    server(2, 'hz1'),
    server(3, 'hz2'),
    server(4, 'hz2'),
    server(5, 'sh1'),
  ];
  const zone = (name: string, leaderWeight = 1) => ({ name, city: 'x', leaderWeight });
  const times = (changes: object) => ({ consensus: changes });

  test.each<[object, string]>([
    [{ unit: 4 }, 'unit: no such field'],
    [times({ tick: 5 }), 'consensus.tick: no such field'],
    [times({ leaseReads: true }), 'consensus.leaseReads: there are no leases: they trust clocks'],
    [{ servers: [{ ...server(2, 'hz2'), port: 1 }] }, 'servers.0.port: no such field'],
    [{ clusterId: 'ABC' }, 'clusterId: must be 32 hex digits'],
    [{ clusterId: undefined }, 'clusterId: expected string'],
    [{ server: 9 }, 'server: 9 is not in servers'],
    [{ zone: 'hz1' }, 'zone: hz1, but servers says that server 2 is in hz2'],
    [{ listen: 'localhost' }, 'listen: must be host:port'],
    [{ listen: '127.0.0.1:70000' }, 'listen: must be host:port'],
    [{ listen: '0.0.0.0:7402' }, 'listen: 0.0.0.0:7402 is not this machine itself'],
    [
      { peerListen: '127.0.0.1.evil.example:1' },
      'peerListen: 127.0.0.1.evil.example:1 is not this',
    ],
    [
      {
        servers: [
          ...GOOD.servers.slice(0, 2),
          { ...server(3, 'sh1'), peerAddress: '10.0.0.3:7413' },
        ],
      },
      'servers.2.peerAddress: 10.0.0.3:7413 is not this machine itself',
    ],
    [{ units: 0 }, 'units: Too small'],
    [{ units: 257 }, 'units: Too big'],
    [{ drill: true }, 'controlPort: missing, and drill needs it'],
    [{ controlPort: 7421 }, 'controlPort: only with drill'],
    [{ servers: [...GOOD.servers, server(4, 'mars')] }, 'servers.3.zone: mars is not in zones'],
    [
      { servers: [...GOOD.servers, { ...server(4, 'sh1'), id: 3 }] },
      'servers: id 3 is there twice',
    ],
    [
      { servers: [...five.slice(0, 4), { ...server(5, 'sh1'), peerAddress: '127.0.0.1:7401' }] },
      'servers: address 127.0.0.1:7401 is there twice',
    ],
    [
      { zones: [zone('hz1'), zone('hz2'), zone('sh1'), zone('x')] },
      'zones.3.name: x has no server',
    ],
    [{ zones: [zone('hz1'), zone('hz2'), zone('hz2')] }, 'zones: name hz2 is there twice'],
    [
      { zones: [zone('hz1', 0), zone('hz2', 0), zone('sh1', 0)] },
      'zones: no zone has a leaderWeight above 0',
    ],
    [{ zones: [zone('HZ 1')] }, 'zones.0.name: must be a-z'],
    [
      { zones: [zone('hz1'), zone('hz2')], servers: [server(1, 'hz1'), server(2, 'hz2')] },
      'servers: without hz1 only 1 of 2 servers are left, and a quorum is 2',
    ],
    [
      { servers: [...five, server(6, 'hz1')].filter(({ id }) => id !== 4) },
      'servers: without hz1 only 2 of 5 servers are left, and a quorum is 3',
    ],
    [{ ledgers: [] }, 'ledgers: Too small'],
    [
      {
        ledgers: Array.from({ length: 4_097 }, (_, i) => ({
          ledger: i + 1,
          currency: 'Points',
          scale: 0,
        })),
      },
      'ledgers: Too big',
    ],
    [
      { ledgers: [1, 1].map((ledger) => ({ ledger, currency: 'Points', scale: 0 })) },
      'ledgers: ledger 1 is there twice',
    ],
    [
      {
        ledgers: ['Points', 'POINTS'].map((currency, i) => ({ ledger: i + 1, currency, scale: 0 })),
      },
      'ledgers: currency points is there twice',
    ],
    [
      { ledgers: [{ ledger: 1, currency: 'EUR', scale: 3 }] },
      'ledgers.0.scale: 3, but EUR has 2 decimal places by ISO 4217',
    ],
    [{ ledgers: [{ ledger: 1, currency: '', scale: 0 }] }, 'ledgers.0.currency: must be 1 .. 32'],
    [{ ledgers: [{ ledger: 1, currency: 'Points', scale: 19 }] }, 'ledgers.0.scale: Too big'],
    [{ links: [{ from: 'hz9', to: '*' }] }, 'links.0.from: hz9 is neither a zone nor a server'],
    [{ links: [{ from: 1, to: 4 }] }, 'links.0.to: 4 is neither a zone nor a server'],
    [{ links: [{ from: 1, to: 2, delay: 4 }] }, 'links.0.delay: no such field'],
    [{ links: [{ from: 1, to: 2, delayMs: -1 }] }, 'links.0.delayMs: Too small'],
    [
      times({ heartbeatMs: 300 }),
      'consensus.heartbeatMs: 300 must be below consensus.voteRefusalMs',
    ],
    [
      times({ voteRefusalMs: 320 }),
      'consensus.voteRefusalMs: 320 must be below consensus.candidacyCityMs.min',
    ],
    [
      times({ candidacyCityMs: { min: 320, max: 320 } }),
      'consensus.candidacyCityMs.min: 320 must be below consensus.candidacyCityMs.max',
    ],
    [
      times({ candidacyRemoteMs: { min: 395, max: 600 } }),
      'consensus.candidacyCityMs.max: 400 must be at most consensus.candidacyRemoteMs.min (395): the city stands first',
    ],
    [
      times({ heartbeatMs: 52 }),
      'consensus.heartbeatMs: 52 is no multiple of consensus.tickMs (5)',
    ],
    [{ limits: { peerQueueBytes: 1 } }, 'limits.peerQueueBytes: Too small'],
  ])('%j', (changes, message) => {
    expect(() => check(changes)).toThrow(message);
  });

  test('all problems at once', () => {
    expect(() => check({ server: 9, controlPort: 1 })).toThrow(/server: 9[\s\S]*controlPort: only/);
  });

  test('but not 2-2-1, which loses any zone and lives', () => {
    expect(check({ servers: five }).servers).toHaveLength(5);
  });
});

describe('accepted, with a warning:', () => {
  test('other addresses, when allowed', () => {
    const config = check({ allowNonLoopback: true, listen: '0.0.0.0:7402' });
    expect(warningsOf(config)).toEqual([
      expect.stringMatching(/no TLS yet.*listen 0\.0\.0\.0:7402\)$/),
    ]);
  });

  test('one zone alone, a drill, emulated links', () => {
    const zones = [{ name: 'hz2', city: 'x', leaderWeight: 1 }];
    const links = [{ from: 2, to: '*', cut: true }];
    const config = check({
      zones,
      servers: [server(2, 'hz2')],
      drill: true,
      controlPort: 1,
      links,
    });
    expect(warningsOf(config).map((text) => text.split(':')[0])).toEqual([
      'drill',
      'links',
      'zones',
    ]);
  });

  test.each(['localhost:1', '127.9.8.7:1', '[::1]:1'])('%s is this machine itself', (listen) => {
    expect(warningsOf(check({ listen }))).toEqual([]);
  });
});

test('docs/configuration.md is what the schema says; `node server/node/config-docs.ts` writes it', () => {
  const file = new URL('../../docs/configuration.md', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(configurationMarkdown());
});
