/**
 * Asks the driver of an interface whether it has a link, for hardware whose driver does not tell
 * the kernel: the PHY's status register (linux/mii.h), ETHTOOL_GLINK (linux/ethtool.h) or the
 * flags (netdevice(7)). Where a driver knows one way not, the next is tried.
 */

import * as ffi from "./ffi.ts";
import { osFailure, type OsFailure } from "./ffi.ts";

export type LinkBeatMethod = "mii" | "ethtool" | "ioctl";

const SIOCGIFFLAGS = 0x8913;
const SIOCETHTOOL = 0x8946;
const SIOCGMIIPHY = 0x8947;
const SIOCGMIIREG = 0x8948;
const ETHTOOL_GLINK = 0x0a;
const MII_BMSR = 1;
const BMSR_LSTATUS = 0x0004;
const IFF_RUNNING = 0x40;

/** `struct ifreq`: name, then what depends on the request. */
const IFREQ_SIZE = 40;
const NAME_BYTES = 16;
/** In `struct mii_ioctl_data`. */
const MII_REGISTER = NAME_BYTES + 2;
const MII_VALUE = NAME_BYTES + 6;
/** `struct ethtool_value`. */
const ETHTOOL_SIZE = 8;

const ORDER: readonly LinkBeatMethod[] = ["mii", "ethtool", "ioctl"];

export class LinkBeat {
  readonly #fd: number;
  readonly #request = new ffi.NativeMemory(IFREQ_SIZE);
  readonly #ethtool = new ffi.NativeMemory(ETHTOOL_SIZE);

  private constructor(fd: number) {
    this.#fd = fd;
  }

  static open(): LinkBeat | OsFailure {
    const fd = ffi.openSocket(ffi.AF_INET, ffi.SOCK_DGRAM, 0);
    return fd < 0 ? osFailure("open a socket to ask for links", fd) : new LinkBeat(fd);
  }

  /** True: there is a link. The method named comes first. */
  hasLink(name: string, method: LinkBeatMethod): boolean | OsFailure {
    let failure = osFailure(`ask for the link of ${name}`, -ffi.EOPNOTSUPP);
    for (const way of [method, ...ORDER.filter((other) => other !== method)]) {
      const found = this.#ask(name, way);
      if (typeof found === "boolean") return found;
      failure = osFailure(`ask for the link of ${name} by ${way}`, found);
    }
    return failure;
  }

  close(): void {
    ffi.closeFd(this.#fd);
  }

  #ask(name: string, way: LinkBeatMethod): boolean | number {
    this.#request.bytes.fill(0);
    new TextEncoder().encodeInto(name, this.#request.bytes.subarray(0, NAME_BYTES - 1));
    if (way === "mii") return this.#askPhy();
    if (way === "ethtool") return this.#askEthtool();
    const status = ffi.ioctl(this.#fd, SIOCGIFFLAGS, this.#request);
    return status < 0
      ? status
      : (this.#request.view.getUint16(NAME_BYTES, true) & IFF_RUNNING) !== 0;
  }

  #askPhy(): boolean | number {
    const { view } = this.#request;
    const phy = ffi.ioctl(this.#fd, SIOCGMIIPHY, this.#request);
    if (phy < 0) return phy;
    // The bit stays 0 after a loss until it was read: the second reading tells what is so now.
    for (let i = 0; i < 2; i++) {
      view.setUint16(MII_REGISTER, MII_BMSR, true);
      const status = ffi.ioctl(this.#fd, SIOCGMIIREG, this.#request);
      if (status < 0) return status;
    }
    return (view.getUint16(MII_VALUE, true) & BMSR_LSTATUS) !== 0;
  }

  #askEthtool(): boolean | number {
    this.#ethtool.view.setUint32(0, ETHTOOL_GLINK, true);
    this.#ethtool.view.setUint32(4, 0, true);
    this.#request.setPointer(NAME_BYTES, this.#ethtool.address);
    const status = ffi.ioctl(this.#fd, SIOCETHTOOL, this.#request);
    return status < 0 ? status : this.#ethtool.view.getUint32(4, true) !== 0;
  }
}
