/** The name of this service in logs, traces and descriptions. */
export const SERVICE = '${{ values.name }}'
export const VERSION = '0.1.0'
