/**
 * Ways out of a page that no content policy of today closes: WebRTC; what would give a fresh one, for a frame or a window
 * begins empty, of our own origin, and `frame-src` is not asked about that; and a page that goes elsewhere by itself.
 * Kinora uses none of them. They are shut before any other script runs (first.ts); what is tried is refused, and told.
 *
 * (`webrtc 'block'` is a directive of CSP 3. Chromium 156 does not know it, and says so on the console.) Markup could
 * make a frame, too: Trusted Types forbid it, in browsers that have them.
 */
import type { NetworkRequest } from './worker/protocol/network';

type Tell = (requests: NetworkRequest[]) => void;
type Holder = Record<string, unknown>;
type Method = (this: unknown, ...args: unknown[]) => unknown;

/** As they are before any other script runs: what is put in their place later is not asked. */
const { apply } = Reflect;
const text = String;
const Address = URL;
/** What `stayHere` relies on, and nothing else has to change. */
const LASTING = ['Event', 'NavigateEvent', 'NavigationDestination', 'URL'];

const early: NetworkRequest[] = [];
let tell: Tell = (requests) => void early.push(...requests);

/** Tells what is tried from now on, and what was tried before. */
export function watchShut(listener: Tell): void {
  tell = listener;
  if (early.length > 0) listener(early.splice(0));
}

function refuse(url: string, what: string): never {
  tell([{ url, at: Date.now(), stopped: true }]);
  throw new TypeError(`Kinora does without ${what}, so that nothing can leave by it.`);
}

const CONNECTIONS = ['RTCPeerConnection', 'webkitRTCPeerConnection', 'mozRTCPeerConnection'];
/** Elements with a window of their own; a prefix may stand before. */
const FRAMES = /^(.*:)?(iframe|frame|object|embed|fencedframe|portal|webview)$/i;
for (const name of ['test', 'exec'] as const) fix(FRAMES as unknown as Holder, name, RegExp.prototype[name]);
const isFrame = (name: unknown) => FRAMES.test(text(name));

/** @param scope the page's window; once */
export function shutWays(scope: object): void {
  const own = scope as Holder;
  for (const name of CONNECTIONS) if (name in own) fix(own, name, noClass('webrtc:', 'WebRTC'));
  // Stylesheets of XML make elements of any name, and so do documents that come as such.
  if ('XSLTProcessor' in own) fix(own, 'XSLTProcessor', noClass('about:blank', 'XSLT'));
  if ('XMLHttpRequest' in own) fix(own, 'XMLHttpRequest', noClass('about:blank', 'XMLHttpRequest'));

  const named = (at: number) => (method: Method) =>
    function (this: unknown, ...args: unknown[]) {
      if (args.length > at) args[at] = args[at] === null ? null : text(args[at]); // asked once: it may answer otherwise the next time
      if (isFrame(args[at])) refuse('about:blank', 'frames');
      return apply(method, this, args);
    };
  wrap(own, 'Document', 'createElement', named(0));
  wrap(own, 'Document', 'createElementNS', named(1));
  wrap(own, 'DOMImplementation', 'createDocument', named(1));
  wrap(own, 'CustomElementRegistry', 'define', (method) => function (this: unknown, name, type, options) {
    const base = (options as { extends?: unknown } | undefined)?.extends;
    if (base === undefined) return apply(method, this, [name, type]);
    const own = text(base);
    if (isFrame(own)) refuse('about:blank', 'frames');
    return apply(method, this, [name, type, { extends: own }]);
  }); // prettier-ignore

  if ('open' in own) fix(own, 'open', () => refuse('about:blank', 'windows'));
  wrap(own, 'Document', 'open', (method) => function (this: unknown, ...args) {
    return args.length > 2 ? refuse('about:blank', 'windows') : apply(method, this, args);
  }); // prettier-ignore
  wrap(own, 'DocumentPictureInPicture', 'requestWindow', () => async () => refuse('about:blank', 'windows'));
  for (const name of LASTING) Object.freeze((own[name] as { prototype?: object } | undefined)?.prototype);
  (own.navigation as EventTarget | undefined)?.addEventListener('navigate', stayHere);
}

/** Where the person goes is their own affair. A document of a blob would be of our origin, and have none of this. */
function stayHere(event: Event): void {
  const { destination, userInitiated, cancelable, downloadRequest } = event as NavigateEvent;
  if (userInitiated || !cancelable) return;
  const { origin, protocol } = new Address(destination.url);
  const isFile = protocol === 'blob:' && downloadRequest !== null;
  if (origin === location.origin && (isFile || protocol === location.protocol)) return;
  event.preventDefault();
  tell([{ url: destination.url, at: Date.now(), stopped: true }]);
}

const noClass = (url: string, what: string) =>
  class {
    constructor() {
      refuse(url, what);
    }
  };

/** In place of what stands there, for good. */
function fix(holder: Holder, name: string, value: unknown): void {
  Object.defineProperty(holder, name, { value, writable: false, configurable: false, enumerable: false });
}

function wrap(scope: Holder, type: string, name: string, by: (method: Method) => Method): void {
  const holder = (scope[type] as { prototype?: Holder } | undefined)?.prototype;
  const method = holder?.[name];
  if (holder && typeof method === 'function') fix(holder, name, by(method as Method));
}
