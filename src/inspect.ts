// Watching groups of this process: the same model as over the bus, and a page with the Stately inspector.

export { type Inspector, type InspectorOptions, openInspector } from './inspect/open-inspector.ts'
