import { describe, expect, it } from 'vitest';
import {
  changeTo,
  enterJoint,
  leaveJoint,
  type MembershipChange,
  NO_MEMBERS,
  simpleChange,
  votersOnly,
} from './membership.ts';
import type { Membership } from './types.ts';

const target = (voters: number[], learners: number[] = []) => ({ voters, learners });
const invalid = (change: MembershipChange) => ('invalid' in change ? change.invalid : null);
const made = (change: MembershipChange) => ('membership' in change ? change.membership : null);

const JOINT: Membership = { ...votersOnly([1, 2, 4]), outgoing: [1, 2, 3] };

describe('changes of one voter', () => {
  it.each([
    [[1, 2], null],
    [[1, 2, 3], null],
    [[1, 2, 3, 4], null],
    [[1, 2, 4], 'more than one voter changes: this needs a joint change'],
    [[1], 'more than one voter changes: this needs a joint change'],
    [[1, 2, 3, 4, 5], 'more than one voter changes: this needs a joint change'],
  ])('C108 from 1 2 3 to %j: %s', (voters, reason) => {
    expect(invalid(simpleChange(votersOnly([1, 2, 3]), target(voters)))).toBe(reason);
  });

  it('C108 the last voter stays', () => {
    const reason = 'a group needs at least one voter';
    expect(invalid(simpleChange(votersOnly([1]), target([])))).toBe(reason);
    expect(invalid(changeTo(votersOnly([1, 2, 3]), target([])))).toBe(reason);
  });

  it('C108 adding who is there, or twice, and removing who is not, changes nothing', () => {
    const current = { ...votersOnly([1, 2, 3]), learners: [4] };
    expect(made(simpleChange(current, target([3, 2, 1, 2], [4, 4])))).toEqual(current);
    expect(made(changeTo(current, target([1, 2, 3], [4])))).toEqual(current);
  });

  it('C116 a learner becomes a voter, and a voter a learner', () => {
    const current = { ...votersOnly([1, 2, 3]), learners: [4] };
    expect(made(changeTo(current, target([1, 2, 3, 4])))).toEqual(votersOnly([1, 2, 3, 4]));
    expect(made(changeTo(current, target([1, 2], [3, 4])))).toEqual({
      ...votersOnly([1, 2]),
      learners: [3, 4],
    });
    const reason = 'server 4 cannot be voter and learner at once';
    expect(invalid(changeTo(current, target([1, 2, 3, 4], [4])))).toBe(reason);
  });
});

describe('joint changes', () => {
  it('C109 none begins within another, and nothing else does', () => {
    const reason = 'a joint change is under way';
    expect(invalid(enterJoint(JOINT, target([1, 2, 5])))).toBe(reason);
    expect(invalid(simpleChange(JOINT, target([1, 2, 4])))).toBe(reason);
    expect(invalid(changeTo(JOINT, target([1, 2])))).toBe(reason);
  });

  it('C109 none begins without voters, and none ends that did not begin', () => {
    const none = 'there are no voters that could agree';
    expect(invalid(enterJoint(NO_MEMBERS, target([1])))).toBe(none);
    expect(invalid(enterJoint({ ...NO_MEMBERS, learners: [1] }, target([1, 2, 3])))).toBe(none);
    expect(invalid(leaveJoint(votersOnly([1, 2, 3])))).toBe('no joint change is under way');
  });

  it('C109 one without any change can be entered and left', () => {
    const joint = made(enterJoint(votersOnly([1, 2, 3]), target([1, 2, 3])));
    expect(joint).toEqual({ ...votersOnly([1, 2, 3]), outgoing: [1, 2, 3] });
    expect(made(leaveJoint(joint as Membership))).toEqual(votersOnly([1, 2, 3]));
  });

  it('C111 a voter that is to be a learner votes in the outgoing half until the end', () => {
    const joint = made(changeTo(votersOnly([1, 2, 3]), target([1, 4, 5], [2, 6])));
    expect(joint).toEqual({
      voters: [1, 4, 5],
      outgoing: [1, 2, 3],
      learners: [6],
      learnersNext: [2],
    });
    expect(made(leaveJoint(joint as Membership))).toEqual({
      ...votersOnly([1, 4, 5]),
      learners: [2, 6],
    });
  });
});
