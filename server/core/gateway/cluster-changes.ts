import { type ChangeRefusal, type ClusterChange, changeProblem } from '../cluster-change.ts';
import { EvenkeelError } from '../error.ts';
import { RequestKind } from '../messages.ts';
import { decodeJson, encodeJson } from '../registry-request.ts';
import type { Router } from '../router.ts';
import { REGISTRY_UNIT } from '../topology.ts';
import type { RequestHandle } from './api.ts';

/** Changes of the cluster itself, made by the registry's leader. */
export class ClusterChanges {
  readonly #router: Router;
  readonly #wake: () => void;

  constructor(router: Router, wake: () => void) {
    this.#router = router;
    this.#wake = wake;
  }

  /**
   * Done once the change is in the registry's log; what follows from it (catch-up, hand-overs) goes on by itself. Fails with
   * a code of ChangeRefusal. Throws `invalid_request` at once.
   */
  make(change: ClusterChange, done: (error: EvenkeelError | null) => void): RequestHandle {
    const problem = changeProblem(change);
    if (problem !== null) throw new EvenkeelError('invalid_request', problem);
    const words = encodeJson(change);
    const kind = RequestKind.changeCluster;
    const sent = this.#router.request(REGISTRY_UNIT, kind, words, (_outcome, answer) => {
      const refusal = decodeJson(answer) as ChangeRefusal | null;
      if (refusal === null) done(null);
      else done(new EvenkeelError(refusal.code, `${refusal.code}: ${refusal.message}`));
    });
    this.#wake();
    return sent;
  }
}
