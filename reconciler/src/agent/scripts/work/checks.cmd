:work
rem The checks of a package, one after the other, by the product's own program. What its exit code says depends on its
rem version, so nobody looks at it: each check leaves its result in a file of its own.
set "EXECUTOR=C:\Skyline DataMiner\Tools\StandaloneBpaExecutor\StandaloneBpaExecutor.exe"
set "CODE=43"
>"%JOB%\output.log" echo checks
if not exist "%EXECUTOR%" goto ended
{checks}
set "CODE=0"
goto ended

:check
start /wait "" "%EXECUTOR%" -f "%JOB%\%CHECK%.json" --"%JOB%\%CHECK%" >>"%JOB%\output.log"
>>"%JOB%\output.log" echo %CHECK% ended with %ERRORLEVEL%
exit /b 0
