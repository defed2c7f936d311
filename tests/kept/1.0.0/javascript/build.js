import { writeFile } from 'node:fs/promises';

import { componentize } from '@bytecodealliance/componentize-js';

const [file] = process.argv.slice(2);
const { component } = await componentize({
  sourcePath: 'src/filter.js',
  witPath: 'wit',
  worldName: 'filter',
  disableFeatures: ['stdio', 'random', 'clocks', 'http', 'fetch-event'],
});
await writeFile(file, component);
