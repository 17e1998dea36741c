import type { Router } from '../router.ts';

/** What the gateway hands to the requests under way. */
export interface GatewayContext {
  readonly router: Router;
  /** The unit that owns an account id. Only called once the registry is known. */
  unitOf(words: Uint32Array, offset: number): number;
  /** All ledger units, ascending. */
  units(): readonly number[];
  nowMs(): number;
  /** Calls back at the first flush at or after that time. */
  later(dueMs: number, callback: () => void): void;
}
