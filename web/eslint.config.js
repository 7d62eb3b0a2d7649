// Folder rules of the portal: api < ui < components < features < routes. A feature never imports another feature.
import js from '@eslint/js'
import reactHooks from 'eslint-plugin-react-hooks'
import tseslint from 'typescript-eslint'

const folders = ['api', 'ui', 'components', 'extensions', 'features']
const areas = ['access', 'catalog', 'environments', 'home', 'plugins', 'pulls', 'runs', 'scaffolder', 'search', 'settings']
const refuse = (groups, message) => ({ 'no-restricted-imports': ['error', { patterns: [{ group: groups, message }] }] })
const inside = (names) => names.flatMap((n) => [`~/${n}/*`, `**/${n}/**`])

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'src/api/schema.d.ts', 'test-results'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  reactHooks.configs.flat.recommended,
  {
    rules: {
      'max-lines': ['error', { max: 300, skipBlankLines: true }],
      'no-restricted-globals': ['error', 'fetch', 'EventSource'],
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/no-invalid-void-type': 'off',
    },
  },
  {
    files: ['**/*.{js,mjs}', 'src/api/**', 'src/test/**', '**/*.test.*'],
    rules: { 'no-restricted-globals': 'off' },
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        URL: 'readonly',
        document: 'readonly',
        localStorage: 'readonly',
        matchMedia: 'readonly',
      },
    },
  },
  { files: ['src/api/**'], rules: refuse(inside(folders.slice(1)), 'api imports nothing of ours') },
  {
    files: ['src/ui/**'],
    rules: refuse(
      [...inside(['api', 'components', 'extensions', 'features']), '@tanstack/react-router', '@tanstack/react-query'],
      'ui knows no API, router or feature',
    ),
  },
  { files: ['src/components/**'], rules: refuse(inside(['features', 'extensions']), 'components know api and ui only') },
  { files: ['src/extensions/**'], rules: refuse(inside(['features']), 'extensions know api, ui and components only') },
  ...areas.map((area) => ({
    files: [`src/features/${area}/**`],
    rules: refuse(
      inside(areas.filter((a) => a !== area)).map((p) => p.replace('~/', '~/features/')),
      'a feature never imports another feature: move the shared part to components',
    ),
  })),
)
