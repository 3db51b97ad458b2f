# Brings this workspace's agent: fetches it from the server, checks that it runs, and runs it.
$ErrorActionPreference = "Stop"
$ProgressPreference = "SilentlyContinue"
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

$url = "${ACCESS_URL}bin/coder-@OS@-@ARCH@.exe"
$directory = Join-Path ([IO.Path]::GetTempPath()) ("coder-" + [Guid]::NewGuid().ToString("N"))
New-Item -ItemType Directory -Path $directory | Out-Null
$binary = Join-Path $directory "coder.exe"

$pause = 2
while ($true) {
    try {
        Invoke-WebRequest -UseBasicParsing -Uri $url -OutFile $binary
        & $binary version | Out-Null
        if ($LASTEXITCODE -eq 0) { break }
        Write-Warning "The program from $url does not run; again in $pause s."
    } catch {
        Write-Warning "Fetching the agent from $url failed: $_. Again in $pause s."
    }
    Start-Sleep -Seconds $pause
    $pause = [Math]::Min($pause * 2, 30)
}

$env:CODER_AGENT_AUTH = "${AUTH_TYPE}"
$env:CODER_AGENT_URL = "${ACCESS_URL}"
& $binary agent
if ($LASTEXITCODE -ne 0) {
    Write-Warning "The agent ended with exit code $LASTEXITCODE. This log is kept for 24 hours."
    Start-Sleep -Seconds 86400
}
