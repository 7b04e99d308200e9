// Bundles the programs that `npm run bench` measures, as the command is bundled: part of `npm run build:bench`.
import { bundlePrograms, THREAD_PROGRAM } from './bundle-command.ts'

const programs = ['floor', 'read', 'whole'].map((name) => `dist/bench/${name}.js`)
await bundlePrograms([...programs, `dist/${THREAD_PROGRAM}`], 'dist/bench/bundled')
