# Brings this workspace's agent: fetches it from the server, checks that it is the server's and runs
# here, and runs it for as long as this window is open. When the server has a newer one, the agent
# replaces its program and goes on. What is set here holds inside the braces only.
& {
$ErrorActionPreference = "Stop"
# A program that writes to standard error has not failed.
$PSNativeCommandUseErrorActionPreference = $false
$ProgressPreference = "SilentlyContinue"
[Net.ServicePointManager]::SecurityProtocol = [Net.ServicePointManager]::SecurityProtocol -bor [Net.SecurityProtocolType]::Tls12

if (-not ($env:CODER_AGENT_TOKEN -or $env:CODER_AGENT_TOKEN_FILE) -and "${AUTH_TYPE}" -eq "token") {
    Write-Warning "CODER_AGENT_TOKEN is not set: the agent has nothing to sign in with."
    return
}

$url = "${ACCESS_URL}bin/coder-@OS@-@ARCH@.exe"
# Seconds since the epoch, by the server's clock; empty in a script that was kept for later.
$servedAt = "${SERVER_TIME:-}"
$directory = Join-Path ([IO.Path]::GetTempPath()) ("coder-" + [Guid]::NewGuid().ToString("N"))
New-Item -ItemType Directory -Path $directory | Out-Null
$binary = Join-Path $directory "coder.exe"

if ($servedAt -match '^[0-9]+$') {
    $now = [int64](([DateTime]::UtcNow - [DateTime]"1970-01-01").TotalSeconds)
    $off = $now - [int64]$servedAt
    if ([Math]::Abs($off) -gt 300) {
        Write-Warning "The clock of this machine is $off s off the server's. Set it, with w32tm /resync for example."
    }
}

# Proxies that ask who one is are answered with the account's own name.
$proxy = [Net.WebRequest]::GetSystemWebProxy()
$proxy.Credentials = [Net.CredentialCache]::DefaultCredentials
[Net.WebRequest]::DefaultWebProxy = $proxy
$through = @{}
if ($env:https_proxy) { $through.Proxy = $env:https_proxy }

$pause = 2
while ($true) {
    try {
        Invoke-WebRequest -UseBasicParsing -Uri "$url.sha256" -OutFile "$binary.sum" @through
        $expected = (([string](Get-Content -Raw "$binary.sum")).Trim() -split '\s+')[0]
        if ($expected -notmatch '^[0-9a-f]{64}$') {
            throw "what answers is not the server but some page: of a network that wants a sign-in first, or of a proxy"
        }
        Invoke-WebRequest -UseBasicParsing -Uri $url -OutFile $binary @through
        $found = (Get-FileHash -Algorithm SHA256 $binary).Hash.ToLowerInvariant()
        if ($found -ne $expected) { throw "what came was cut short or changed on its way" }
        & $binary version | Out-Null
        if ($LASTEXITCODE -eq 0) { break }
        Write-Warning "The program for @OS@ @ARCH@ does not run on this machine; again in $pause s."
    } catch {
        Write-Warning "Fetching the agent from $url failed: $_. Again in $pause s. Where the way out leads through a proxy, set `$env:https_proxy; where a certificate is refused, look at this machine's clock: $(Get-Date)."
    }
    Start-Sleep -Seconds $pause
    $pause = [Math]::Min($pause * 2, 30)
}
Remove-Item "$binary.sum"

$env:CODER_AGENT_AUTH = "${AUTH_TYPE}"
$env:CODER_AGENT_URL = "${ACCESS_URL}"
try {
    & $binary agent
    # An agent that ends by itself with success was told to stop; anything else is shown.
    if ($LASTEXITCODE -ne 0) { Write-Warning "The agent ended with exit code $LASTEXITCODE." }
} finally {
    Remove-Item -Recurse -Force $directory -ErrorAction SilentlyContinue
}
}
