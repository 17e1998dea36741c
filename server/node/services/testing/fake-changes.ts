import { type ClusterChange, changeProblem } from '../../../core/cluster-change.ts';
import { EvenkeelError } from '../../../core/error.ts';
import type { RequestHandle } from '../../../core/gateway/api.ts';

/** Keeps what it is asked for, and refuses with `refusal` if there is one; answers in a later turn. */
export class FakeChanges {
  readonly made: ClusterChange[] = [];
  refusal: EvenkeelError | null = null;

  make(change: ClusterChange, done: (error: EvenkeelError | null) => void): RequestHandle {
    const problem = changeProblem(change);
    if (problem !== null) throw new EvenkeelError('invalid_request', problem);
    if (this.refusal === null) this.made.push(change);
    setImmediate(() => done(this.refusal));
    return { cancel: () => {} };
  }
}
