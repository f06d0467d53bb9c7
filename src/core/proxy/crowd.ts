/**
 * Objects that come and go all the time, in no order.
 *
 * Not a `Set`: each few hundred changes that makes a new table, and leaves the old one pointing to the
 * next and to whom it held. One such table that a garbage collection of the young has moved to the old
 * keeps all later ones, and with them everybody who was in one, until the old are collected as well.
 */

export interface CrowdMember {
  /** The crowd's own: where it stands; -1 = nowhere. */
  crowdPlace: number;
}

export class Crowd<Member extends CrowdMember> implements Iterable<Member> {
  readonly #members: Member[] = [];

  get size(): number {
    return this.#members.length;
  }

  /** Who is in it already stays. */
  add(member: Member): void {
    if (member.crowdPlace >= 0) return;
    member.crowdPlace = this.#members.length;
    this.#members.push(member);
  }

  /** False: it is not in it. */
  delete(member: Member): boolean {
    const place = member.crowdPlace;
    if (place < 0) return false;
    member.crowdPlace = -1;
    const last = this.#members.pop()!;
    if (last === member) return true;
    this.#members[place] = last;
    last.crowdPlace = place;
    return true;
  }

  /**
   * Everybody who is in it from the beginning to the end comes. Whoever leaves meanwhile may make
   * another one come twice.
   */
  *[Symbol.iterator](): Generator<Member, undefined> {
    // Backwards: a gap is filled by the last one, which was there already.
    for (let place = this.#members.length - 1; place >= 0; place--) {
      const member = this.#members[place];
      if (member !== undefined) yield member;
    }
    return undefined;
  }
}
