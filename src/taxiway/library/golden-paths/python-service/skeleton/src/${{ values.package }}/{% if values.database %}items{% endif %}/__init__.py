"""An example resource, whole: routes over a repository over a table. Replace it by what the service is for."""
