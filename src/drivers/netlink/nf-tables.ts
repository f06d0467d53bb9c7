/**
 * nf_tables messages: tables, chains, sets, elements and rules as linux/netfilter/nf_tables.h
 * lays them out. Everything between `beginBatch` and `endBatch` takes effect at once or not at
 * all. Each function adds whole messages to the socket's request.
 */

import {
  MAX_ATTRIBUTE,
  NLM_F_APPEND,
  NLM_F_CREATE,
  NLM_F_EXCL,
  readAttributes,
} from "./message.ts";
import type { MessageWriter } from "./message.ts";
import type { NetlinkSocket } from "./socket.ts";

export const NFPROTO_UNSPEC = 0;
export const NFPROTO_INET = 1;
export const NFPROTO_IPV4 = 2;
export const NFPROTO_ARP = 3;
export const NFPROTO_IPV6 = 10;

const NFNL_MSG_BATCH_BEGIN = 0x10;
const NFNL_MSG_BATCH_END = 0x11;
const SUBSYSTEM = 10;
const NFT_MSG_NEWTABLE = 0;
const NFT_MSG_DELTABLE = 2;
const NFT_MSG_NEWCHAIN = 3;
const NFT_MSG_NEWRULE = 6;
const NFT_MSG_NEWSET = 9;
const NFT_MSG_NEWSETELEM = 12;
const NFT_MSG_GETSETELEM = 13;
const NFT_MSG_DELSETELEM = 14;

/** A map from a key to a verdict. */
export const NFT_SET_MAP = 0x8;
export const NFT_SET_TIMEOUT = 0x10;

const NFT_DATA_VERDICT = 0xffff_ff00;
const NFTA_LIST_ELEM = 1;
const NFTA_DATA_VALUE = 1;
const NFTA_DATA_VERDICT = 2;
const NFTA_VERDICT_CODE = 1;
const NFTA_VERDICT_CHAIN = 2;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;

/** Elements in one message: the list's length must fit an attribute. */
const ELEMENT_BYTES_BOUND = 100;
const ELEMENTS_PER_MESSAGE: number = Math.floor(MAX_ATTRIBUTE / ELEMENT_BYTES_BOUND);

export interface TableName {
  readonly family: number;
  readonly table: string;
}

export function beginBatch(socket: NetlinkSocket): void {
  socket.begin(NFNL_MSG_BATCH_BEGIN, 0);
  writeHeader(socket.request, NFPROTO_UNSPEC, SUBSYSTEM);
  socket.end();
}

export function endBatch(socket: NetlinkSocket): void {
  socket.begin(NFNL_MSG_BATCH_END, 0);
  writeHeader(socket.request, NFPROTO_UNSPEC, SUBSYSTEM);
  socket.end();
}

/** No error when it is there already. */
export function addTable(socket: NetlinkSocket, { family, table }: TableName): void {
  begin(socket, NFT_MSG_NEWTABLE, family, NLM_F_CREATE);
  socket.request.attributeString(1, table);
  socket.end();
}

export function deleteTable(socket: NetlinkSocket, { family, table }: TableName): void {
  begin(socket, NFT_MSG_DELTABLE, family, 0);
  socket.request.attributeString(1, table);
  socket.end();
}

/** A chain that others jump to. */
export function addChain(socket: NetlinkSocket, { family, table }: TableName, name: string): void {
  begin(socket, NFT_MSG_NEWCHAIN, family, NLM_F_CREATE | NLM_F_EXCL);
  socket.request.attributeString(1, table);
  socket.request.attributeString(3, name);
  socket.end();
}

/** A base chain of type `filter` that accepts what no rule dropped. */
export function addBaseChain(
  socket: NetlinkSocket,
  { family, table }: TableName,
  chain: { readonly name: string; readonly hook: number; readonly priority: number },
): void {
  const { request } = socket;
  begin(socket, NFT_MSG_NEWCHAIN, family, NLM_F_CREATE | NLM_F_EXCL);
  request.attributeString(1, table);
  request.attributeString(3, chain.name);
  const hook = request.beginNested(4);
  request.attributeBe32(1, chain.hook);
  request.attributeBe32(2, chain.priority);
  request.endNested(hook);
  request.attributeBe32(5, NF_ACCEPT);
  request.attributeString(7, "filter");
  socket.end();
}

/** Types as `nft` numbers them for display: 2 nf_proto, 7 ipv4_addr, 8 ipv6_addr. */
export interface SetShape {
  readonly name: string;
  /** Unique within the batch. */
  readonly id: number;
  readonly flags: number;
  readonly keyType: number;
  readonly keyBytes: number;
  /** What `nft list` needs to show keys that are in the order of this machine. */
  readonly userData?: Uint8Array;
}

/** NFTNL_UDATA_SET_KEYBYTEORDER, four bytes: host order. */
export const HOST_ORDER_KEYS: Uint8Array = Uint8Array.of(0, 4, 1, 0, 0, 0);

export function addSet(socket: NetlinkSocket, { family, table }: TableName, set: SetShape): void {
  const { request } = socket;
  begin(socket, NFT_MSG_NEWSET, family, NLM_F_CREATE | NLM_F_EXCL);
  request.attributeString(1, table);
  request.attributeString(2, set.name);
  request.attributeBe32(3, set.flags);
  request.attributeBe32(4, set.keyType);
  request.attributeBe32(5, set.keyBytes);
  if ((set.flags & NFT_SET_MAP) !== 0) request.attributeBe32(6, NFT_DATA_VERDICT);
  request.attributeBe32(10, set.id);
  if (set.userData !== undefined) request.attributeBytes(13, set.userData);
  socket.end();
}

export interface SetElement {
  readonly key: Uint8Array;
  /** Verdict maps only: the chain to jump to. */
  readonly jump?: string;
  /** Sets with NFT_SET_TIMEOUT: when the element counts as gone, ms from now; at least 1. */
  readonly lifetimeMs?: number;
  /** The lifetime it is listed with; `lifetimeMs` unless said otherwise. */
  readonly timeoutMs?: number;
}

export interface SetName extends TableName {
  readonly set: string;
}

/** No error for elements that are there with the same data. */
export function addElements(
  socket: NetlinkSocket,
  name: SetName,
  elements: readonly SetElement[],
): void {
  writeElements(socket, NFT_MSG_NEWSETELEM, name, elements);
}

/** -ENOENT, and nothing of the batch done, when one is not there. */
export function deleteElements(
  socket: NetlinkSocket,
  name: SetName,
  elements: readonly SetElement[],
): void {
  writeElements(socket, NFT_MSG_DELSETELEM, name, elements);
}

/** Remaining lifetime, ms, of the first element; undefined when there is none. */
export function remainingLifetimeMs(socket: NetlinkSocket, name: SetName): number | undefined {
  const messages = socket.dump((SUBSYSTEM << 8) | NFT_MSG_GETSETELEM, (request) => {
    writeHeader(request, name.family, 0);
    request.attributeString(1, name.table);
    request.attributeString(2, name.set);
  });
  if (typeof messages === "number" || messages[0] === undefined) return undefined;
  const list = readAttributes(messages[0].body, 4).get(3);
  const element = list && readAttributes(list, 0).get(NFTA_LIST_ELEM);
  const left = element && readAttributes(element, 0).get(5);
  if (left?.length !== 8) return undefined;
  return Number(new DataView(left.buffer, left.byteOffset).getBigUint64(0));
}

function writeElements(
  socket: NetlinkSocket,
  type: number,
  { family, table, set }: SetName,
  elements: readonly SetElement[],
): void {
  const { request } = socket;
  for (let start = 0; start < elements.length; start += ELEMENTS_PER_MESSAGE) {
    begin(socket, type, family, type === NFT_MSG_NEWSETELEM ? NLM_F_CREATE : 0);
    request.attributeString(1, table);
    request.attributeString(2, set);
    const list = request.beginNested(3);
    for (const element of elements.slice(start, start + ELEMENTS_PER_MESSAGE)) {
      writeElement(request, element);
    }
    request.endNested(list);
    socket.end();
  }
}

function writeElement(request: MessageWriter, element: SetElement): void {
  const { key, jump, lifetimeMs, timeoutMs = lifetimeMs } = element;
  const nested = request.beginNested(NFTA_LIST_ELEM);
  writeValue(request, 1, key);
  if (jump !== undefined) writeVerdict(request, 2, { code: NFT_JUMP, chain: jump });
  if (timeoutMs !== undefined) request.attributeBe64(4, BigInt(timeoutMs));
  if (lifetimeMs !== undefined) request.attributeBe64(5, BigInt(lifetimeMs));
  request.endNested(nested);
}

/** One step of a rule. It looks at registers and ends the rule where it does not match. */
export type Expression = (request: MessageWriter) => void;

export function addRule(
  socket: NetlinkSocket,
  { family, table }: TableName,
  chain: string,
  expressions: readonly Expression[],
): void {
  const { request } = socket;
  begin(socket, NFT_MSG_NEWRULE, family, NLM_F_CREATE | NLM_F_APPEND);
  request.attributeString(1, table);
  request.attributeString(2, chain);
  const list = request.beginNested(4);
  for (const write of expressions) {
    const element = request.beginNested(NFTA_LIST_ELEM);
    write(request);
    request.endNested(element);
  }
  request.endNested(list);
  socket.end();
}

const NF_DROP = 0;
const NF_ACCEPT = 1;
const NFT_JUMP = -3;
const NFT_RETURN = -5;
/** 16 bytes. */
const REGISTER_1 = 1;
const REGISTER_VERDICT = 0;
const NFT_META_IIFNAME = 6;
const NFT_META_NFPROTO = 15;
const NFT_META_L4PROTO = 16;
const NFT_META_PKTTYPE = 19;
const PACKET_HOST = 0;
const NFT_LOOKUP_F_INV = 1;

export const NETWORK_HEADER = 1;
export const TRANSPORT_HEADER = 2;
export const COMPARE_EQUAL = 0;
export const COMPARE_AT_MOST = 3;
export const COMPARE_AT_LEAST = 5;

/** NFPROTO_* of the packet into register 1. */
export const packetFamily: Expression = meta(NFT_META_NFPROTO);

/** Packets of NFPROTO_IPV4 or NFPROTO_IPV6 only (family inet). */
export function isFamily(family: number): readonly Expression[] {
  return [packetFamily, compareByte(COMPARE_EQUAL, family)];
}

export function isProtocol(protocol: number): readonly Expression[] {
  return [meta(NFT_META_L4PROTO), compareByte(COMPARE_EQUAL, protocol)];
}

/** The name of the interface that it came in on, filled with zeros, into register 1. */
export const incomingInterface: Expression = meta(NFT_META_IIFNAME);

/** Frames to the very MAC of the interface. */
export const isToItsMac: readonly Expression[] = [
  meta(NFT_META_PKTTYPE),
  compareByte(COMPARE_EQUAL, PACKET_HOST),
];

/** Bytes of a header into register 1. */
export function payload(base: number, offset: number, length: number): Expression {
  return expression("payload", (request) => {
    request.attributeBe32(1, REGISTER_1);
    request.attributeBe32(2, base);
    request.attributeBe32(3, offset);
    request.attributeBe32(4, length);
  });
}

/** Register 1 holds one byte that compares with `value`. */
export function compareByte(operator: number, value: number): Expression {
  return expression("cmp", (request) => {
    request.attributeBe32(1, REGISTER_1);
    request.attributeBe32(2, operator);
    writeValue(request, 3, Uint8Array.of(value));
  });
}

/** Register 1 is a key of the set. */
export function isIn(set: string): Expression {
  return lookup(set);
}

export function isNotIn(set: string): Expression {
  return lookup(set, (request) => request.attributeBe32(5, NFT_LOOKUP_F_INV));
}

/** Where register 1 is a key of the map, goes on as the map says. */
export function followMap(map: string): Expression {
  return lookup(map, (request) => request.attributeBe32(3, REGISTER_VERDICT));
}

export const drop: Expression = verdict(NF_DROP);
/** Ends the chain: no further rule of it is asked. */
export const leave: Expression = verdict(NFT_RETURN);

function verdict(code: number): Expression {
  return expression("immediate", (request) => {
    request.attributeBe32(1, REGISTER_VERDICT);
    writeVerdict(request, 2, { code });
  });
}

function meta(key: number): Expression {
  return expression("meta", (request) => {
    request.attributeBe32(1, REGISTER_1);
    request.attributeBe32(2, key);
  });
}

function lookup(set: string, writeMore: Expression = () => undefined): Expression {
  return expression("lookup", (request) => {
    request.attributeString(1, set);
    request.attributeBe32(2, REGISTER_1);
    writeMore(request);
  });
}

function expression(name: string, write: Expression): Expression {
  return (request) => {
    request.attributeString(NFTA_EXPR_NAME, name);
    const data = request.beginNested(NFTA_EXPR_DATA);
    write(request);
    request.endNested(data);
  };
}

function writeVerdict(
  request: MessageWriter,
  type: number,
  { code, chain }: { readonly code: number; readonly chain?: string },
): void {
  const data = request.beginNested(type);
  const value = request.beginNested(NFTA_DATA_VERDICT);
  request.attributeBe32(NFTA_VERDICT_CODE, code);
  if (chain !== undefined) request.attributeString(NFTA_VERDICT_CHAIN, chain);
  request.endNested(value);
  request.endNested(data);
}

function writeValue(request: MessageWriter, type: number, value: Uint8Array): void {
  const nested = request.beginNested(type);
  request.attributeBytes(NFTA_DATA_VALUE, value);
  request.endNested(nested);
}

function begin(socket: NetlinkSocket, type: number, family: number, flags: number): void {
  socket.begin((SUBSYSTEM << 8) | type, flags);
  writeHeader(socket.request, family, 0);
}

/** nfgenmsg. */
function writeHeader(request: MessageWriter, family: number, resource: number): void {
  request.u8(family);
  request.u8(0);
  request.be16(resource);
}
