"""The host side of the plugin contract: finding and loading plugins, and what `PluginContext` gives them."""
