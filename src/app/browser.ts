/** Which browser this is, and what to do in it when something that Kinora needs is missing. */
import type { ErrorCode } from '../worker/protocol/result';

export type Missing = Extract<
  ErrorCode,
  'no-webgpu' | 'no-adapter' | 'no-wasm' | 'no-webcodecs' | 'no-encoder'
>;

const MISSING: readonly string[] = ['no-webgpu', 'no-adapter', 'no-wasm', 'no-webcodecs', 'no-encoder'];
export const isMissing = (code: ErrorCode): code is Missing => MISSING.includes(code);

export type Advice =
  | 'insecure'
  | 'chromeOld'
  | 'chromeSettings'
  | 'chromeLinux'
  | 'firefox'
  | 'safariMac'
  | 'safariIos'
  | 'driver'
  | 'encoder'
  | 'other';

export interface Browser {
  family: 'chrome' | 'firefox' | 'safari' | 'other';
  version: number;
  os: 'windows' | 'mac' | 'ios' | 'android' | 'linux' | 'other';
}

/** `touchPoints` tells an iPad, which calls itself a Mac, from a Mac. */
export function readBrowser(userAgent: string, touchPoints: number): Browser {
  const version = (name: RegExp) => Number(name.exec(userAgent)?.[1] ?? 0);
  const mac = /Macintosh/.test(userAgent);
  const os: Browser['os'] =
    /iPhone|iPad|iPod/.test(userAgent) || (mac && touchPoints > 1)
      ? 'ios'
      : /Android/.test(userAgent)
        ? 'android'
        : mac
          ? 'mac'
          : /Windows/.test(userAgent)
            ? 'windows'
            : /Linux|X11|CrOS/.test(userAgent)
              ? 'linux'
              : 'other';
  // On iOS every browser is WebKit, whatever it calls itself.
  if (os === 'ios') return { family: 'safari', version: version(/Version\/(\d+)/), os };
  if (/Firefox\//.test(userAgent)) return { family: 'firefox', version: version(/Firefox\/(\d+)/), os };
  if (/Chrom(e|ium)\//.test(userAgent))
    return { family: 'chrome', version: version(/Chrom(?:e|ium)\/(\d+)/), os };
  if (/Safari\//.test(userAgent)) return { family: 'safari', version: version(/Version\/(\d+)/), os };
  return { family: 'other', version: 0, os };
}

/** What to do, most likely help first. */
export function adviseFor(code: Missing, browser: Browser, secure: boolean): Advice[] {
  if (!secure) return ['insecure'];
  if (code === 'no-encoder') return ['encoder'];
  if (code === 'no-wasm') return ['other'];
  switch (browser.family) {
    case 'chrome': {
      const advice: Advice[] = browser.version < (browser.os === 'android' ? 121 : 113) ? ['chromeOld'] : [];
      if (browser.os === 'linux') advice.push('chromeLinux');
      if (browser.os !== 'android') advice.push('chromeSettings');
      return [...advice, code === 'no-adapter' || browser.os !== 'android' ? 'driver' : 'other'];
    }
    case 'firefox':
      return code === 'no-adapter' ? ['firefox', 'driver'] : ['firefox'];
    case 'safari':
      return [browser.os === 'ios' ? 'safariIos' : 'safariMac'];
    default:
      return ['other'];
  }
}
