import { describe, expect, it } from 'vitest';
import { Homing } from './homing.ts';
import type { LedgerUnit } from './ledger-unit.ts';
import { HOMING_STEADY_MS } from './limits.ts';
import type { Topology } from './topology.ts';

const TOPOLOGY: Topology = {
  zones: [{ name: 'hz1', city: 'hz', leaderWeight: 1 }],
  servers: [{ id: 1, zone: 'hz1' }],
  ledgers: [],
  units: 2,
};
const SELF = 2;
const PREFERRED = 1;
const TICK_MS = 5;

/** Units that server 2 leads and server 1 should; `active` says whether consensus has heard server 1 lately. */
function setUp() {
  const state = { nowMs: 10_000, active: true, match: 10, fit: true };
  const handedOver: number[] = [];
  const units = [1, 2].map((unit) => {
    const group = {
      serving: true,
      raft: {
        status: () => ({
          lastIndex: 10,
          peers: [{ id: PREFERRED, match: state.match, recentlyActive: state.active }],
        }),
        transferLeadership: () => {
          handedOver.push(unit);
          group.serving = false;
        },
      },
    };
    return { unit, group, quiet: true, handingOver: false } as unknown as LedgerUnit;
  });
  const homing = new Homing();
  const run = (ms: number, each: () => void = () => {}, ending = false) => {
    for (const untilMs = state.nowMs + ms; state.nowMs < untilMs; state.nowMs += TICK_MS) {
      each();
      homing.step(state.nowMs, SELF, TOPOLOGY, units, () => state.fit, ending);
    }
  };
  return { state, units, handedOver, run };
}

describe('Homing', () => {
  it('hands every unit over, though consensus asks anew each 300 ms who is there', () => {
    const { state, handedOver, run } = setUp();
    run(HOMING_STEADY_MS + 2_000, () => {
      state.active = state.nowMs % 300 >= 50;
    });
    expect(handedOver).toEqual([1, 2]);
  });

  it('waits until the preferred server has been in touch for long enough', () => {
    const { state, handedOver, run } = setUp();
    run(HOMING_STEADY_MS - 500);
    run(300, () => {
      state.active = false;
    });
    state.active = true;
    run(HOMING_STEADY_MS - 500);
    expect(handedOver).toEqual([]);
    run(1_000);
    expect(handedOver).toEqual([1]);
  });

  it('never hands over to a server that is sick', () => {
    const { state, handedOver, run } = setUp();
    state.fit = false;
    run(3 * HOMING_STEADY_MS);
    expect(handedOver).toEqual([]);
  });

  it('gives everything away at once before its server stops', () => {
    const { handedOver, run } = setUp();
    run(500, () => {}, true);
    expect(handedOver).toEqual([1, 2]);
  });

  it('leaves a unit to its work ever longer between hand-overs that come to nothing', () => {
    const { units, run } = setUp();
    let heldMs = 0;
    for (const unit of units) unit.group.raft.transferLeadership = () => undefined;
    const count = () => {
      if (units.some(({ handingOver }) => handingOver)) heldMs += TICK_MS;
    };
    run(20_000, count, true);
    expect(heldMs).toBeGreaterThan(1_000);
    expect(heldMs).toBeLessThan(3_000);
  });

  it('never hands over to a server that is far behind', () => {
    const { state, handedOver, run } = setUp();
    state.match = -100;
    run(3 * HOMING_STEADY_MS);
    expect(handedOver).toEqual([]);
  });
});
