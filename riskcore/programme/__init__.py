"""The shipped figures of the programme: topstep.toml, and the release days of cpi_releases.csv."""
