/** What must be done before any other script of the page runs. */
import { shutWays } from './shut';

shutWays(globalThis);
