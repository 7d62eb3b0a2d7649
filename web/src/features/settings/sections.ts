/** The sections of the settings in their order: what URLs call them, and what people read. */
export const SECTIONS = {
  plugins: 'Plugins',
  tokens: 'API tokens',
  roles: 'Roles',
  audit: 'Audit',
  config: 'Configuration',
  webhooks: 'Webhooks',
} as const
export type Section = keyof typeof SECTIONS
export const isSection = (name: string): name is Section => name in SECTIONS
