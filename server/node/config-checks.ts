import { foldName, ledgerProblem } from '../core/ledger-definition.ts';
import type { ConfigFields } from './config-schema.ts';
import type { LinkRule } from './peers/emulation.ts';

/** What is wrong between fields that are right each for itself; each line begins with the field. */
export function problemsOf(config: ConfigFields): string[] {
  return [
    ...placeProblems(config),
    ...quorumProblems(config),
    ...uniqueProblems(config),
    ...ledgerProblems(config),
    ...timeProblems(config.consensus),
    ...drillProblems(config),
    ...addressProblems(config),
    ...linkProblems(config.links, config).map((problem) => `links.${problem}`),
  ];
}

/** Host of host:port, without the brackets of IPv6. */
function hostOf(address: string): string {
  return address.slice(0, address.lastIndexOf(':')).replace(/^\[(.*)\]$/, '$1');
}

export function isLoopback(address: string): boolean {
  const host = hostOf(address);
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Every address that is named, with its field. */
export function addressesOf(config: ConfigFields): { field: string; address: string }[] {
  const own = (['listen', 'peerListen'] as const).flatMap((field) => {
    const address = config[field];
    return address === undefined ? [] : [{ field, address }];
  });
  const others = config.servers.flatMap(({ address, peerAddress }, i) => [
    { field: `servers.${i}.address`, address },
    { field: `servers.${i}.peerAddress`, address: peerAddress },
  ]);
  return [...own, ...others];
}

function placeProblems({ server, zone, zones, servers }: ConfigFields): string[] {
  const problems: string[] = [];
  const names = new Set(zones.map(({ name }) => name));
  servers.forEach((row, i) => {
    if (!names.has(row.zone)) problems.push(`servers.${i}.zone: ${row.zone} is not in zones`);
  });
  zones.forEach(({ name }, i) => {
    if (servers.some((row) => row.zone === name)) return;
    problems.push(`zones.${i}.name: ${name} has no server`);
  });
  const self = servers.find(({ id }) => id === server);
  if (self === undefined) problems.push(`server: ${server} is not in servers`);
  else if (zone !== undefined && zone !== self.zone) {
    problems.push(`zone: ${zone}, but servers says that server ${server} is in ${self.zone}`);
  }
  if (zones.every(({ leaderWeight }) => leaderWeight === 0)) {
    problems.push('zones: no zone has a leaderWeight above 0, so none may lead');
  }
  return problems;
}

/**
 * Losing any one zone must leave a majority. Then no zone holds a majority by itself either, so every commit rests
 * on two zones. One zone alone is allowed for trials: it promises nothing.
 */
function quorumProblems({ zones, servers, join }: ConfigFields): string[] {
  // On the way from one layout to another.
  if (join) return [];
  if (zones.length === 1) return [];
  const quorum = Math.floor(servers.length / 2) + 1;
  return zones.flatMap(({ name }) => {
    const rest = servers.filter(({ zone }) => zone !== name).length;
    if (rest >= quorum) return [];
    const how = `without ${name} only ${rest} of ${servers.length} servers are left, and a quorum is ${quorum}`;
    return [`servers: ${how}; take three zones, such as 1-1-1 or 2-2-1, or one for a trial`];
  });
}

function uniqueProblems(config: ConfigFields): string[] {
  const { zones, servers, ledgers } = config;
  return [
    ...repeated(
      'zones',
      'name',
      zones.map(({ name }) => name),
    ),
    ...repeated(
      'servers',
      'id',
      servers.map(({ id }) => id),
    ),
    ...repeated(
      'servers',
      'address',
      servers.flatMap((row) => [row.address, row.peerAddress]),
    ),
    ...repeated(
      'ledgers',
      'ledger',
      ledgers.map(({ ledger }) => ledger),
    ),
    ...repeated(
      'ledgers',
      'currency',
      ledgers.map(({ currency }) => foldName(currency)),
    ),
  ];
}

function ledgerProblems({ ledgers }: ConfigFields): string[] {
  return ledgers.flatMap((ledger, i) => {
    const problem = ledgerProblem(ledger);
    return problem === null ? [] : [`ledgers.${i}.${problem}`];
  });
}

function repeated(list: string, field: string, values: readonly (string | number)[]): string[] {
  const twice = values.filter((value, i) => values.indexOf(value) !== i);
  return [...new Set(twice)].map((value) => `${list}: ${field} ${value} is there twice`);
}

function timeProblems(times: ConfigFields['consensus']): string[] {
  const problems: string[] = [];
  const {
    tickMs,
    heartbeatMs,
    voteRefusalMs,
    candidacyCityMs: city,
    candidacyRemoteMs: remote,
  } = times;
  const inOrder = (low: [string, number], high: [string, number], why: string, orEqual = false) => {
    if (low[1] < high[1] || (orEqual && low[1] === high[1])) return;
    const relation = orEqual ? 'at most' : 'below';
    problems.push(
      `consensus.${low[0]}: ${low[1]} must be ${relation} consensus.${high[0]} (${high[1]}): ${why}`,
    );
  };
  const heartbeat: [string, number] = ['heartbeatMs', heartbeatMs];
  const refusal: [string, number] = ['voteRefusalMs', voteRefusalMs];
  const cityMin: [string, number] = ['candidacyCityMs.min', city.min];
  const cityMax: [string, number] = ['candidacyCityMs.max', city.max];
  const remoteMin: [string, number] = ['candidacyRemoteMs.min', remote.min];
  const remoteMax: [string, number] = ['candidacyRemoteMs.max', remote.max];
  inOrder(heartbeat, refusal, 'a leader must be heard before its voters turn to others');
  inOrder(refusal, cityMin, 'survivors would refuse each other');
  inOrder(refusal, remoteMin, 'survivors would refuse each other');
  inOrder(cityMin, cityMax, 'or all would stand at once');
  inOrder(remoteMin, remoteMax, 'or all would stand at once');
  inOrder(cityMax, remoteMin, 'the city stands first', true);
  for (const [field, value] of [heartbeat, refusal, cityMin, cityMax, remoteMin, remoteMax]) {
    if (value % tickMs === 0) continue;
    problems.push(`consensus.${field}: ${value} is no multiple of consensus.tickMs (${tickMs})`);
  }
  return problems;
}

function drillProblems({ drill, controlPort }: ConfigFields): string[] {
  if (drill && controlPort === undefined) return ['controlPort: missing, and drill needs it'];
  if (!drill && controlPort !== undefined) return ['controlPort: only with drill'];
  return [];
}

function addressProblems(config: ConfigFields): string[] {
  if (config.allowNonLoopback) return [];
  return addressesOf(config)
    .filter(({ address }) => !isLoopback(address))
    .map(
      ({ field, address }) =>
        `${field}: ${address} is not this machine itself, and there is no TLS yet; allowNonLoopback allows it`,
    );
}

/** Rules that name nobody. Each line begins with the rule's number. */
export function linkProblems(
  rules: readonly LinkRule[],
  { zones, servers }: Pick<ConfigFields, 'zones' | 'servers'>,
): string[] {
  return rules.flatMap((rule, i) =>
    (['from', 'to'] as const).flatMap((field) => {
      const end = rule[field];
      if (end === '*' || zones.some(({ name }) => name === end)) return [];
      if (servers.some(({ id }) => id === end)) return [];
      return [`${i}.${field}: ${end} is neither a zone nor a server`];
    }),
  );
}
