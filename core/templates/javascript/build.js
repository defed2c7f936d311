// Makes a component of src/filter.js. `portcullis plugin build` runs this and says into which file:
// node build.js FILE

import { spawnSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';

import { componentize } from '@bytecodealliance/componentize-js';

const source = 'src/filter.js';

function fail(message) {
  console.error(message);
  process.exit(1);
}

const [file = '@NAME@.wasm'] = process.argv.slice(2);

// Unlike componentize, node says where a syntax error is.
if (spawnSync(process.execPath, ['--check', source], { stdio: 'inherit' }).status !== 0) {
  fail(`${source} is not valid JavaScript, see above`);
}

try {
  const { component } = await componentize({
    sourcePath: source,
    witPath: 'wit',
    worldName: 'filter',
    // A filter reaches nothing but the proxy, so there is no WASI: no console, no clock, no fetch.
    disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
  });
  await writeFile(file, component);
} catch (error) {
  const [, missing] = /Error loading module "(portcullis:filter\/[^"]*)"/.exec(error.message) ?? [];
  fail(missing ? `the filter imports ${missing}, which wit/world.wit does not; add there:  import ${missing};` : error.message);
}
