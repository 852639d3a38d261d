// What scripts/web-tests installed. An import by name finds nothing there: that is below .deps, not beside these files.

import {createRequire} from 'node:module';
import {join} from 'node:path';
import {pathToFileURL} from 'node:url';

const folder = process.env.DECANT_TEST_PACKAGES;
if (!folder) throw new Error('DECANT_TEST_PACKAGES is not set; run scripts/web-tests');
const require = createRequire(join(folder, 'package.json'));

export const {chromium} = require('playwright-core');
export const axeSource = require('axe-core').source;

/** Loaded by who needs it: it is large. */
export const lighthouse = async () => (await import(pathToFileURL(require.resolve('lighthouse')).href)).default;
export const chromeLauncher = () => import(pathToFileURL(require.resolve('chrome-launcher')).href);
