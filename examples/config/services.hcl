# A configuration as one would keep it beside a program.

region = var.region

labels = merge(var.labels, {
  owner = lower(var.team)
})

service "web" {
  image    = "registry/web:${var.versions.web}"
  replicas = max(2, var.load / 100)
  command  = ["serve", "--listen", format(":%d", 8000 + port_offset(var.region))]

  env = {
    DATABASE_URL = secret("web/database")
    GREETING     = "Grüße aus ${upper(var.region)}"
  }

  health {
    path    = "/healthz"
    port    = 8000 + port_offset(var.region)
    seconds = 2.5
  }
}

service "worker" {
  image   = "registry/worker:${var.versions.worker}"
  command = [for queue in var.queues : "--queue=${queue}" if queue != "slow"]
}
