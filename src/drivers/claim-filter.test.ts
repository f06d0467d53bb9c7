import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { passes } from "../../test/kit/bpf.ts";
import { advertFrame } from "../../test/kit/advert-frames.ts";
import { gratuitousArp } from "../core/vrrp/arp-frame.ts";
import { unsolicitedNa } from "../core/vrrp/na-frame.ts";
import { claimFilter } from "./claim-filter.ts";

const MAC = Uint8Array.of(2, 0, 0, 0, 0, 1);
const v4 = fc.uint8Array({ minLength: 4, maxLength: 4, max: 3 });
const v6 = fc.uint8Array({ minLength: 16, maxLength: 16, max: 1 });
const addresses = fc.array(fc.oneof(v4, v6), { maxLength: 80 });

function accepts(watched: readonly Uint8Array[], frame: Uint8Array, vlanTag = 0): boolean {
  return passes(claimFilter(watched), frame, vlanTag);
}

function claimOf(address: Uint8Array): Uint8Array {
  return address.length === 4 ? gratuitousArp(MAC, address) : unsolicitedNa(MAC, address, false);
}

test("claims of watched addresses pass, of others not, unless too many are watched", () => {
  fc.assert(
    fc.property(addresses, fc.oneof(v4, v6), (watched, claimed) => {
      const isWatched = watched.some((address) => address.toHex() === claimed.toHex());
      const expected = isWatched || watched.length > 64;
      assert.equal(accepts(watched, claimOf(claimed)), expected);
    }),
  );
});

test("adverts that come from a watched address pass, plain or with a digest", () => {
  const [owner, other] = [Uint8Array.of(192, 0, 2, 1), Uint8Array.of(192, 0, 2, 2)];
  for (const protocol of [112, 51, 17]) {
    const isAdvert = protocol !== 17;
    const frame = advertFrame(owner, new Uint8Array(20), { protocol });
    assert.equal(accepts([other, owner], frame), isAdvert);
    assert.equal(accepts([other], frame), false);
    assert.equal(accepts([owner], frame, 1), false);
  }
});

test("frames of a VLAN and cut frames are refused", () => {
  fc.assert(
    fc.property(addresses, fc.nat(25), (watched, length) => {
      for (const address of watched) {
        assert.equal(accepts(watched, claimOf(address), 1), false);
        assert.equal(accepts(watched.slice(0, 64), claimOf(address).subarray(0, length)), false);
      }
    }),
  );
});

test("nothing but ARP and neighbour advertisements is shown", () => {
  const address = Uint8Array.of(192, 0, 2, 1);
  for (const etherType of [0x0800, 0x88cc, 0x86dd]) {
    const frame = claimOf(address);
    new DataView(frame.buffer).setUint16(12, etherType);
    assert.equal(accepts([address], frame), false);
  }
  const solicitation = claimOf(new Uint8Array(16).fill(9));
  solicitation[54] = 135;
  assert.equal(accepts([new Uint8Array(16).fill(9)], solicitation), false);
});
